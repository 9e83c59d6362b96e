/*
 * The gateway with one statement for each message, as many at once as it has connections. Shows what grouping
 * saves.
 */
import { createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';

const config = readConfig(process.env);
await createApp(config, { writer: { groupRows: 1, statementsInFlight: config.poolSize } });
