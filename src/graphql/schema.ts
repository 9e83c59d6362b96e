import { builder } from './builder.ts';
import './scalars.ts';
import './enums.ts';
import './refusal.ts';
import './person.ts';
import './ticket.ts';
import './message.ts';
import './attachment.ts';
import './delivery.ts';
import './mailbox.ts';
import './event.ts';
import './add-message.ts';
import './upload-file.ts';
import './preview-message.ts';
import './delivery-commands.ts';
import './redact.ts';

export const schema = builder.toSchema();
