import { requireViewer } from '../../tickets/policy.ts';
import { builder } from './builder.ts';

const names = {
  viewer: { value: 'REQUESTS', description: 'Requests of the viewer, whatever they ask.' },
  write: { value: 'COMMANDS', description: 'Commands of the viewer: messages, uploads, decisions.' },
} as const;

const RateLimitRef = builder
  .objectRef<{
    readonly name: keyof typeof names;
    readonly max: number;
    readonly remaining: number;
    readonly resetsInSeconds: number;
  }>('RateLimit')
  .implement({
    description: 'How much of one limit is left to the viewer. Limits count within a minute.',
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
      max: t.exposeInt('max', { description: 'So many in a minute.' }),
      remaining: t.exposeInt('remaining', { description: 'So many are left until it begins anew.' }),
      resetsInSeconds: t.exposeInt('resetsInSeconds', { description: 'Seconds until it begins anew.' }),
    }),
  });

builder.queryField('rateLimit', (t) =>
  t.field({
    type: [RateLimitRef],
    nullable: true,
    description: "The viewer's limits; empty when nothing is limited. Asking counts as a request.",
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
