/** A small memory for what depends on sizes alone, so that film frames do not work it out anew. */

const CAPACITY = 16;

/** `make`, remembering its last 16 results by the JSON text of its arguments. */
export function remembered<Arguments extends unknown[], Result>(
  make: (...given: Arguments) => Result,
): (...given: Arguments) => Result {
  const results = new Map<string, Result>();
  return (...given) => {
    const key = JSON.stringify(given);
    let result = results.get(key);
    if (result === undefined) {
      result = make(...given);
      if (results.size >= CAPACITY) results.delete(results.keys().next().value as string);
      results.set(key, result);
    }
    return result;
  };
}
