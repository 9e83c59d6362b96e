import { defineConfig } from 'vite';

/** The gateway: page and gateway share an origin, so that no CORS is needed. */
const gateway = process.env.TICKETWIRE_URL ?? 'http://localhost:4000';
const proxy = { '/graphql': gateway, '/uploads': gateway, '/attachments': gateway };

export default defineConfig({ server: { proxy }, preview: { proxy } });
