// danfo reads from URLs (request) and spreadsheets (xlsx) by these, tfjs-node's install script unpacks by it (tar).
const refuse = () => {
  throw new Error(
    "request, xlsx and tar are not installed here: they have known holes, and nothing in this project uses them. Read and write CSV or JSON files instead.",
  );
};

module.exports = Object.assign(refuse, {
  get: refuse,
  read: refuse,
  readFile: refuse,
  utils: { aoa_to_sheet: refuse },
});
