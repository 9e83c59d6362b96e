import type { Person } from '../tickets/people.ts';
import { builder } from './builder.ts';
import { RoleEnum, ScopeEnum } from './enums.ts';

export const PersonRef = builder.objectRef<Person>('Person').implement({
  description: 'An operator, who works on tickets, or a requester, whom a ticket is for.',
  fields: (t) => ({
    name: t.exposeString('name'),
    role: t.expose('role', { type: RoleEnum }),
    email: t.string({
      nullable: true,
      description: 'Seen by operators, and by the person.',
      resolve: ({ id, email }, _args, { viewer }) =>
        viewer?.role === 'OPERATOR' || viewer?.userId === id ? email : null,
    }),
  }),
});

const ViewerRef = builder
  .objectRef<{ userId: number; login: string; scopes: ReadonlySet<'read' | 'write' | 'mail' | 'admin'> }>(
    'Viewer',
  )
  .implement({
    description: 'Whoever is asking, this time.',
    fields: (t) => ({
      login: t.exposeString('login'),
      person: t.field({
        type: PersonRef,
        resolve: async ({ userId }, _args, ctx) => (await ctx.load.person.load(userId))!,
      }),
      scopes: t.field({
        type: [ScopeEnum],
        description: 'What the credential in use allows.',
        resolve: ({ scopes }) => [...scopes],
      }),
    }),
  });

builder.queryField('viewer', (t) =>
  t.field({
    type: ViewerRef,
    nullable: true,
    description: 'Null when nobody is signed in.',
    resolve: (_root, _args, { viewer }) => viewer ?? null,
  }),
);
