// QuickJS makes a built-in function when it is first read. Those that many scripts call are made here, before the
// snapshot, and not again in each request.

const OBJECTS = [
  Array, Array.prototype, JSON, Map.prototype, Math, Number, Number.prototype, Object, Object.prototype, Promise,
  Promise.prototype, Set.prototype, String, String.prototype,
];

for (const object of OBJECTS) {
  for (const name of Reflect.ownKeys(object)) Object.getOwnPropertyDescriptor(object, name);
}
