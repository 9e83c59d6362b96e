import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from './cluster.ts';
import { placeOf, type World } from './world.ts';

/** What happens to the database while gateways work. */
export interface Incident {
  readonly name: string;
  readonly needsStandby: boolean;
  /**
   * Makes it happen. @returns when the database can be had again by a new connection, and where it is then
   */
  happen(place: {
    world: World;
    primary: Cluster;
    standby: Cluster | undefined;
  }): Promise<{ since: number; at: Cluster }>;
}

export const incidents: readonly Incident[] = [
  {
    name: 'killed and started again',
    needsStandby: false,
    async happen({ primary }) {
      await primary.kill();
      await sleep(1000);
      await primary.start();
      return { since: performance.now(), at: primary };
    },
  },
  {
    name: 'slower by 5 s for 12 s',
    needsStandby: false,
    async happen({ world, primary }) {
      world.door.slowDown(5000);
      await sleep(12_000);
      world.door.slowDown(0);
      return { since: performance.now(), at: primary };
    },
  },
  {
    name: 'black-holed: old sockets dead, new ones well',
    needsStandby: false,
    async happen({ world, primary }) {
      world.door.loseAll();
      return { since: performance.now(), at: primary };
    },
  },
  {
    name: 'primary killed, standby promoted',
    needsStandby: true,
    async happen({ world, primary, standby }) {
      await primary.kill();
      return promoted(world, standby!);
    },
  },
  {
    name: 'primary frozen, standby promoted',
    needsStandby: true,
    async happen({ world, primary, standby }) {
      primary.freeze();
      // The monitoring of a failover needs a moment to notice.
      await sleep(3000);
      return promoted(world, standby!);
    },
  },
];

async function promoted(world: World, standby: Cluster): Promise<{ since: number; at: Cluster }> {
  await standby.promote();
  world.door.leadTo(placeOf(standby));
  return { since: performance.now(), at: standby };
}
