// What `npm start` runs after the bootstrap: every service in one process (apps/standalone).
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  console.error(`mediaplane needs Node >= 24 on ${process.platform}-${process.arch}; this is ${process.version}.`);
  process.exit(1);
}
await import('../libs/service/src/compile-cache.ts');
await import('../apps/standalone/dist/main.js');
