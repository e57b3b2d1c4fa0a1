/** The files of a model that the page fetches: those that come with it, and those of the hub. */
export const MODEL_FILES = ["config.json", "vocab.json", "model.safetensors"] as const;
