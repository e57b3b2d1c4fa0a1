/** What `build.ts` puts into the page. */
declare module "tables:page" {
  const tables: import("./tables").Tables;
  export default tables;
}
