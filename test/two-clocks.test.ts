import { afterEach, expect, test, vi } from 'vitest';
import { startGateway } from './support/gateway.ts';
import { sampled } from './support/soak.ts';
import { add } from './tickets/calls.ts';

/* A machine whose clock is wrong: the database's clock decides what is due. */

afterEach(() => vi.useRealTimers());

test.each(sampled([-3_600_000, 3_600_000], 2))(
  'by a clock that is %d ms off, held mails go out when they are due and others at once',
  async (offMs) => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + offMs });
    await using gateway = await startGateway();
    const email = { from: 'company@domain.com' };
    await add(gateway, {
      ticket: { ticketId: 47 },
      body: 'In an hour and a half',
      email: { ...email, holdSeconds: 5400 },
    });
    await add(gateway, { ticket: { ticketId: 3 }, body: 'In a moment', email: { ...email, holdSeconds: 1 } });
    await add(gateway, { ticket: { ticketId: 4 }, body: 'Now', email });
    const [now, held] = await gateway.sink.received(2);
    expect(String(now!.source)).toContain('Now');
    expect(String(held!.source)).toContain('In a moment');
    const [row] = await gateway.sql<{ seconds: number; state: string }[]>`
      select extract(epoch from due_at - created_at)::float8 as seconds, state
      from deliveries where ticket_id = 47`;
    expect(row!.state).toBe('HELD');
    expect(Math.abs(row!.seconds - 5400)).toBeLessThan(30);
  },
);
