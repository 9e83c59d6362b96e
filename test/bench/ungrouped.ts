/*
 * The gateway with a statement of its own for each message, as many at once as it has connections: what
 * grouping is worth.
 */
import { createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';

const config = readConfig(process.env);
await createApp(config, { writer: { groupRows: 1, statementsInFlight: config.poolSize } });
