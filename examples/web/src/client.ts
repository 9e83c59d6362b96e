import { cacheExchange, createClient, fetchExchange } from 'urql';
import { eventsExchange } from './events.ts';

/** One client for each sign-in: what one person saw is not another's. */
export const clientFor = (authorization: string) =>
  createClient({
    url: '/graphql',
    preferGetMethod: false,
    fetchOptions: { headers: { authorization } },
    exchanges: [cacheExchange, fetchExchange, eventsExchange(authorization)],
  });

export const basic = (login: string, password: string): string =>
  `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(`${login}:${password}`)))}`;
