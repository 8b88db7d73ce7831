// QuickJS makes a built-in function when it is first read. Those that many scripts call are made here, before the
// snapshot, and not again in each request.

const { Function } = globalThis;

const OBJECTS = [
  Array, Array.prototype, Date, Date.prototype, Function.prototype, globalThis.JSON, Map.prototype, globalThis.Math, Number,
  Number.prototype, globalThis.Object, globalThis.Object.prototype, Promise, Promise.prototype, RegExp.prototype,
  Set.prototype, String, String.prototype, Uint8Array.prototype,
];

for (const object of OBJECTS) {
  for (const name of Reflect.ownKeys(object)) Object.getOwnPropertyDescriptor(object, name);
}
