# JupyterLab with the notebooks, ready to run: docker build -t acronym-circuit . && docker run --rm -p 127.0.0.1:8888:8888 -m 2g acronym-circuit
FROM node:22-bookworm-slim AS base
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates git python3 python3-venv \
  && rm -rf /var/lib/apt/lists/* \
  && install -d -o node -g node /home/node/acronym-circuit
USER node
WORKDIR /home/node/acronym-circuit

FROM base
COPY --chown=node:node . .
RUN node scripts/cli.mjs setup && npm cache clean --force
EXPOSE 8888
# without npm, so that SIGTERM reaches it
CMD ["node", "scripts/cli.mjs", "lab", "--no-browser", "--ip=0.0.0.0"]
