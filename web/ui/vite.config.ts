// How the pages are built: everything local, hashed names, compressed copies beside the files that gain by it.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { constants, gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const compressible = /\.(html|js|css|svg|json|txt)$/;

function compressTree(folder: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) {
      compressTree(path);
    } else if (compressible.test(name)) {
      const plain = readFileSync(path);
      const packed = gzipSync(plain, { level: constants.Z_BEST_COMPRESSION });
      if (packed.length < plain.length * 0.9) writeFileSync(`${path}.gz`, packed);
    }
  }
}

function compress(): Plugin {
  let folder = "";
  return {
    name: "compress",
    apply: "build",
    configResolved: (config) => {
      folder = join(config.root, config.build.outDir);
      if (config.build.outDir.startsWith("/")) folder = config.build.outDir;
    },
    closeBundle: () => compressTree(folder),
  };
}

export default defineConfig({
  plugins: [react(), compress()],
  build: {
    target: "es2022", // noVNC waits for WebCodecs at the top level of a module
    assetsInlineLimit: 0, // the content security policy allows no data: fonts
    sourcemap: false,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1500,
  },
});
