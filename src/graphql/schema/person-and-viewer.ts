import { encodeGlobalId } from '../../platform/global-id.ts';
import type { Scope } from '../../platform/request-context.ts';
import { emailFor, type Person } from '../../tickets/read/people-and-mailboxes.ts';
import { builder } from './builder.ts';
import { RoleEnum, ScopeEnum } from './enums.ts';

/**
 * The type `Person`. Its address is null for viewers who may not see it. This file also defines the query
 * `viewer`.
 */
export const PersonRef = builder.objectRef<Person>('Person').implement({
  description: 'An operator, who works on tickets, or a requester, for whom a ticket was opened.',
  fields: (t) => ({
    id: t.id({
      description:
        'Stable and unique id of the person. Opaque. `node` does not accept it: people are shown only ' +
        'with their tickets and messages.',
      resolve: ({ id }) => encodeGlobalId('Person', id),
    }),
    name: t.exposeString('name', { description: 'Display name.' }),
    role: t.expose('role', { type: RoleEnum, description: 'Role of the person at the desk.' }),
    email: t.string({
      nullable: true,
      description:
        'E-mail address. Null when the person has none, or when the viewer is neither an operator nor that ' +
        'person.',
      resolve: (person, _args, { viewer }) => emailFor(viewer, person),
    }),
  }),
});

const ViewerRef = builder
  .objectRef<{ userId: number; login: string; scopes: ReadonlySet<Scope> }>('Viewer')
  .implement({
    description: 'The signed-in user and the credential of this request.',
    fields: (t) => ({
      id: t.id({
        description:
          'Stable and unique id of the user. Opaque. `node` does not accept it. To recognise the ' +
          "viewer's own messages, compare `person.id` with `author.id`.",
        resolve: ({ userId }) => encodeGlobalId('Viewer', userId),
      }),
      login: t.exposeString('login', { description: 'Name to sign in with.' }),
      person: t.field({
        type: PersonRef,
        description: 'The user as others see them.',
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
    description: 'The signed-in user. Null when nobody is signed in.',
    resolve: (_root, _args, { viewer }) => viewer ?? null,
  }),
);
