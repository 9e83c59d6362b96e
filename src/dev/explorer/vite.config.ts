import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

interface Mend {
  readonly file: RegExp;
  /** Texts of the file, and what stands there instead. */
  readonly texts: readonly (readonly [wrong: string, right: string])[];
}

const mends: readonly Mend[] = [
  {
    // 5.7 takes a non-null input field for required even where it has a default value, so the variables
    // editor would underline every correct input of ours.
    file: /graphql-language-service\/.*\/getVariablesJSONSchema\.js$/,
    texts: [
      [
        'if (fieldRequired) {',
        'if (fieldRequired && field.defaultValue === undefined && field.default === undefined) {',
      ],
    ],
  },
];

/** Mends what GraphiQL has no option for. The build fails when a newer version reads differently. */
function mendPackages(): Plugin {
  return {
    name: 'mend-packages',
    transform(code, id) {
      const mend = mends.find(({ file }) => file.test(id.split('?')[0]!));
      if (mend === undefined) return;
      return mend.texts.reduce((text, [wrong, right]) => {
        if (!text.includes(wrong)) this.error(`${id} has changed: look whether it is still wrong`);
        return text.replace(wrong, right);
      }, code);
    },
  };
}

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: '/explorer/',
  publicDir: false,
  logLevel: 'warn',
  plugins: [mendPackages()],
  build: {
    emptyOutDir: true,
    target: 'es2022',
    // A data: URL would need a hole in the Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 4096,
    reportCompressedSize: false,
    // React's packages mark their files `"use client"`: without meaning here, and one warning each.
    rolldownOptions: {
      onLog(level, log, handle) {
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') handle(level, log);
      },
    },
  },
  worker: { format: 'es', plugins: () => [mendPackages()] },
});
