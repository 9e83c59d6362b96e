// What any server has to do with a file, and nothing else: HTTP to disk, hashed on its way, durable before it
// is answered.
import { createHash, randomUUID } from 'node:crypto';
import { open } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';

const [directory] = process.argv.slice(2);
const server = createServer(async (req, res) => {
  const hash = createHash('sha256');
  const file = await open(join(directory, randomUUID()), 'wx');
  for await (const chunk of req) {
    hash.update(chunk);
    await file.write(chunk);
  }
  await file.sync();
  await file.close();
  res.writeHead(201, { 'Content-Type': 'application/json' });
  res.end(JSON.stringify({ sha256: hash.digest('hex') }));
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`listening on ${server.address().port}\n`));
