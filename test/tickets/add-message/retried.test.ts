import { expect, test } from 'vitest';
import { startGateway } from '../../support/gateway.ts';
import { add } from '../calls.ts';

test('a deadlock, then a serialization failure, are retried inside: one message, no error', async () => {
  await using gateway = await startGateway();
  await gateway.sql.unsafe(`
    create sequence faults;
    grant usage on sequence faults to public;
    create function fault() returns trigger language plpgsql as $$
      declare nth bigint := nextval('faults');
      begin
        if nth = 1 then raise exception 'planted' using errcode = '40P01'; end if;
        if nth = 2 then raise exception 'planted' using errcode = '40001'; end if;
        return new;
      end $$;
    create trigger fault before insert on messages for each row execute function fault()`);
  const before = await gateway.counts();
  const added = await add(gateway, { ticket: { ticketId: 47 }, body: 'Once.' });
  expect(added.ticketMessage).toBeDefined();
  expect(await gateway.counts()).toMatchObject({
    messages: before.messages! + 1,
    events: before.events! + 1,
  });
  expect(await gateway.sql`select last_value::int as tries from faults`).toMatchObject([{ tries: 3 }]);
});
