import { once } from 'node:events';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { asOperator } from '../support/gateway.ts';

/** A message whose last bytes are still to come. */
export function halfSent(url: string) {
  const { promise: answer, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  const body = '{"TicketREF":"INC-000047","Message":"Under way"}';
  const req = request(`${url}/api/Tickets/NewMessage`, {
    method: 'POST',
    headers: {
      authorization: asOperator,
      expect: '100-continue',
      'content-type': 'application/json',
      'content-length': body.length,
    },
  });
  req.on('error', reject);
  req.on('response', async (res) => resolve({ status: res.statusCode!, text: await text(res) }));
  const reading = once(req, 'continue');
  req.flushHeaders();
  return {
    answer,
    reading: reading.then(() => void req.write(body.slice(0, 10))),
    end: () => void req.end(body.slice(10)),
  };
}
