// Bundles use_stream.jsx with React and the SDK into one script for a page: node bundle.mjs TARGET
import { build } from "esbuild";

await build({
  entryPoints: ["use_stream.jsx"],
  outfile: process.argv[2],
  bundle: true,
  format: "esm",
  jsx: "automatic",
  define: { "process.env.NODE_ENV": '"production"' },
  logLevel: "error",
});
