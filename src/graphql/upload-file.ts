import { encodeGlobalId } from '../global-id.ts';
import { uploadFile } from '../tickets/upload-file.ts';
import type { Upload } from '../tickets/uploads/keep-upload.ts';
import { builder } from './builder.ts';
import { orRefusal, refusalTypes, typeOfResult } from './refusal.ts';

const UploadFileInput = builder.inputType('UploadFileInput', {
  fields: (t) => ({ file: t.field({ type: 'Upload', required: true }) }),
});

const PayloadRef = builder.objectRef<Upload>('UploadFilePayload').implement({
  description: 'A file that is here but belongs to no message yet.',
  fields: (t) => ({
    upload: t.id({
      description: 'For AttachmentInput.upload, by the same user, once, within 24 hours.',
      resolve: ({ id }) => encodeGlobalId('Upload', id),
    }),
    fileName: t.exposeString('fileName'),
    contentType: t.exposeString('contentType'),
    byteSize: t.exposeInt('byteSize'),
    sha256: t.string({ description: 'Hexadecimal.', resolve: ({ sha256 }) => sha256.toString('hex') }),
  }),
});

const ResultUnion = builder.unionType('UploadFileResult', {
  types: [PayloadRef, ...refusalTypes('UNAUTHENTICATED', 'FORBIDDEN', 'ATTACHMENT_TOO_LARGE')],
  resolveType: typeOfResult('UploadFilePayload'),
});

builder.mutationField('uploadFile', (t) =>
  t.field({
    type: ResultUnion,
    description: 'Takes a file in before its message is written.',
    args: { input: t.arg({ type: UploadFileInput, required: true }) },
    resolve: (_root, { input }, ctx) => orRefusal(uploadFile(ctx, input)),
  }),
);
