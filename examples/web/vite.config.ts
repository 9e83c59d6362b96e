import { defineConfig, type ProxyOptions } from 'vite';

const target = process.env.TICKETWIRE_URL ?? 'http://localhost:4000';

const gateway: ProxyOptions = {
  target,
  configure(proxy) {
    // Vite's proxy keeps the browser's connection when it loses the gateway's. The page would wait for
    // events that cannot come.
    proxy.on('proxyRes', (answer, _request, response) => {
      answer.once('close', () => {
        if (!answer.complete) response.destroy();
      });
    });
  },
};

/** Page and gateway share an origin, so that no CORS is needed. */
const proxy = { '/graphql': gateway, '/uploads': gateway, '/attachments': gateway };

export default defineConfig({ server: { proxy }, preview: { proxy } });
