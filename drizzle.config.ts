/** Of drizzle-kit, whose packages are in schema/drizzle-kit: `npm run migration`. */
export default {
  dialect: 'postgresql',
  schema: './src/db/tables.ts',
  out: './schema/migrations',
};
