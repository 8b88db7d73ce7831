// The language's own objects, as they were before any script ran. Every module of the engine begins with an import of
// them (see `modules.rs`): what a script puts in their place does not reach it.

/** The functions of an object, where no other object is asked for more. */
function copy(object) {
  return globalThis.Object.create(null, globalThis.Object.getOwnPropertyDescriptors(object));
}

const JSON = copy(globalThis.JSON);
const Math = copy(globalThis.Math);
const Object = copy(globalThis.Object);
const Reflect = copy(globalThis.Reflect);
const { Array, ArrayBuffer, DataView, Map, Promise, Set, Symbol, Uint8Array } = globalThis;
export const { isInteger: is_integer, isSafeInteger: is_safe_integer } = globalThis.Number;
const { BigInt, Boolean, Date, Number, RegExp, String } = globalThis;
const { DOMException, Error, RangeError, TypeError } = globalThis;

export {
  Array, ArrayBuffer, BigInt, Boolean, DOMException, DataView, Date, Error, JSON, Map, Math, Number, Object, Promise, RangeError,
  Reflect, RegExp, Set, String, Symbol, TypeError, Uint8Array,
};

const methods = Object.getOwnPropertyDescriptors(Array.prototype);
// Without it the methods that make a new array ask nothing of a script.
delete methods.constructor;
const own_methods = Object.create(null, methods);

/** A list of the engine's, whose methods no script can replace. */
export function own(list) {
  return Object.setPrototypeOf(list, own_methods);
}

/** A method as a function, whose first value is the object. */
const uncurried = (method) => Function.prototype.call.bind(method);

export const to_lower_case = uncurried(String.prototype.toLowerCase);

/** Without halves of surrogate pairs, which UTF-8 has no bytes for. */
export const well_formed = uncurried(String.prototype.toWellFormed);
