/** What the page has of TensorFlow.js: its core. The library's `@tensorflow/tfjs` also has layers, data and converters, which nothing here uses. */
export * from "@tensorflow/tfjs-core";

import "@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops";
