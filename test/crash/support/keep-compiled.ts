/*
 * Loaded before a gateway that a test starts (`node --import`). Node writes compiled modules to its cache
 * when a process ends by itself, so one that is killed would compile all of them at each start, for a second
 * of CPU. It writes them here once the gateway has loaded them, and listens.
 */
import { subscribe } from 'node:diagnostics_channel';
import { flushCompileCache } from 'node:module';

subscribe('tracing:net.server.listen:asyncEnd', () => flushCompileCache());
