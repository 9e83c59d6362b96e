import type { LookupAddress } from 'node:dns';
import { lookup, Resolver } from 'node:dns/promises';

/** Errors that come at once: the name does not exist, or there is no server that answers such questions. */
const immediate = ['ENOTFOUND', 'ENODATA', 'EBADNAME', 'ECONNREFUSED', 'EREFUSED', 'ENOTIMP'];

/** Whether the system is looking up a name whose servers are silent. */
let isWaiting = false;

/**
 * The addresses of a name: by DNS, IPv4 first, or else by the system (`/etc/hosts`, search domains), in its
 * order. The system looks up two names at a time in the whole process, for ten seconds or longer if nobody
 * answers. Names whose servers are silent would therefore keep mail, files and other endpoints from resolving
 * theirs, so the system is asked for one of them at a time; for a second one, the error of DNS is thrown
 * immediately. The name `localhost` is looked up by the system alone. Private addresses are returned like
 * others.
 * @param resolver by default a new one, which reads the system's settings
 * @param askSystem `getaddrinfo`
 * @returns at least one address
 * @throws Error with a code of DNS or of the system, such as ENOTFOUND, ETIMEOUT or EAI_AGAIN
 */
export async function addressesOf(
  name: string,
  resolver = new Resolver({ timeout: 2000, tries: 2 }),
  askSystem = (asked: string): Promise<LookupAddress[]> => lookup(asked, { all: true }),
): Promise<LookupAddress[]> {
  if (name === 'localhost') return askSystem(name);
  const found = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
  const addresses = found.flatMap((result, at) =>
    result.status === 'fulfilled'
      ? result.value.map((address) => ({ address, family: at === 0 ? 4 : 6 }))
      : [],
  );
  if (addresses.length > 0) return addresses;
  const silence = found
    .flatMap((result) => (result.status === 'rejected' ? [result.reason as NodeJS.ErrnoException] : []))
    .find(({ code }) => !immediate.includes(code!));
  if (silence === undefined) return askSystem(name);
  if (isWaiting) throw silence;
  isWaiting = true;
  return askSystem(name).finally(() => {
    isWaiting = false;
  });
}
