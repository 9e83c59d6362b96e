import { GraphQLSchema } from 'graphql';
import { builder } from './builder.ts';
import { description } from './description.ts';
import './scalars.ts';
import './enums.ts';
import './refusal.ts';
import './person.ts';
import './ticket.ts';
import './message.ts';
import './attachment.ts';
import './delivery.ts';
import './mailbox.ts';
import './node.ts';
import './event.ts';
import './add-message.ts';
import './upload-file.ts';
import './preview-message.ts';
import './delivery-commands.ts';
import './redact.ts';
import './set-status.ts';

// Pothos has no option for the schema's own description.
export const schema = new GraphQLSchema({ ...builder.toSchema().toConfig(), description });
