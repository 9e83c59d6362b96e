import { GraphQLSchema } from 'graphql';
import { builder } from '../schema/builder.ts';
import { description } from './schema-description.ts';
import '../schema/scalars.ts';
import '../schema/enums.ts';
import '../schema/result-union.ts';
import '../schema/person-and-viewer.ts';
import '../schema/lists/search.ts';
import '../schema/ticket.ts';
import '../schema/lists/tickets.ts';
import '../schema/mark-seen.ts';
import '../schema/message.ts';
import '../schema/message-body.ts';
import '../schema/attachment.ts';
import '../schema/delivery.ts';
import '../schema/mailbox.ts';
import '../schema/node.ts';
import '../schema/event.ts';
import '../schema/add-message.ts';
import '../schema/upload-file.ts';
import '../schema/preview-message.ts';
import '../schema/delivery-commands.ts';
import '../schema/redact.ts';
import '../schema/rate-limit.ts';
import '../schema/set-status.ts';

// Pothos has no option for the schema's own description.
/** The executable schema, with its description. */
export const schema = new GraphQLSchema({ ...builder.toSchema().toConfig(), description });
