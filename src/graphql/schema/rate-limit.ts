import { requireViewer } from '../../tickets/permissions.ts';
import { builder } from './builder.ts';

/* The query `rateLimit`, by which a viewer reads their limits. It enforces none. */

const names = {
  viewer: { value: 'REQUESTS', description: 'All requests of the viewer.' },
  write: { value: 'COMMANDS', description: 'Commands of the viewer, such as messages and uploads.' },
} as const;

const RateLimitRef = builder
  .objectRef<{
    readonly name: keyof typeof names;
    readonly max: number;
    readonly remaining: number;
    readonly resetsInSeconds: number;
  }>('RateLimit')
  .implement({
    description: 'One rate limit of the viewer, counted per minute.',
    fields: (t) => ({
      name: t.field({
        type: builder.enumType('RateLimitName', {
          description: 'What a limit counts.',
          values: {
            REQUESTS: { value: 'viewer', description: names.viewer.description },
            COMMANDS: { value: 'write', description: names.write.description },
          } as const,
        }),
        description: 'What is counted.',
        resolve: ({ name }) => name,
      }),
      max: t.exposeInt('max', { description: 'Maximum per minute.' }),
      remaining: t.exposeInt('remaining', { description: 'Remaining number until the count resets.' }),
      resetsInSeconds: t.exposeInt('resetsInSeconds', { description: 'Seconds until the count resets.' }),
    }),
  });

builder.queryField('rateLimit', (t) =>
  t.field({
    type: [RateLimitRef],
    nullable: true,
    description: "The viewer's rate limits. Empty when nothing is limited. This query counts as a request.",
    resolve: async (_root, _args, ctx) => {
      const { userId } = requireViewer(ctx);
      const found = await Promise.all(
        (['viewer', 'write'] as const).map(async (name) => {
          const state = await ctx.services.rateLimits.state(name, userId);
          return state && { ...state, name };
        }),
      );
      return found.filter((state) => state !== undefined);
    },
  }),
);
