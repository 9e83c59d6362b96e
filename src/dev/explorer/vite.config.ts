import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

/**
 * graphql-language-service 5.7 takes a non-null input field for required even where it has a default value,
 * so the variables editor would underline every correct input of ours. Fails the build when a newer version
 * reads differently: look again then.
 */
function knowDefaults(): Plugin {
  return {
    name: 'know-defaults',
    transform(code, id) {
      if (!/graphql-language-service\/.*\/getVariablesJSONSchema\.js$/.test(id.split('?')[0]!)) return;
      const wrong = 'if (fieldRequired) {';
      if (!code.includes(wrong)) this.error('getVariablesJSONSchema has changed');
      return code.replace(
        wrong,
        'if (fieldRequired && field.defaultValue === undefined && field.default === undefined) {',
      );
    },
  };
}

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: '/explorer/',
  publicDir: false,
  logLevel: 'warn',
  plugins: [knowDefaults()],
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
  worker: { format: 'es', plugins: () => [knowDefaults()] },
});
