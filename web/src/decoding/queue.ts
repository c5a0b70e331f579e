/**
 * The order in which pose candidates are looked at, ties included.
 *
 * The original keeps candidates in a heap whose storage starts at 0 while its arithmetic (parent
 * `i / 2`, children `2i` and `2i + 1`) is that of storage starting at 1. It sorts correctly by
 * score; among equal scores its order is peculiar, and is kept here.
 */
export class MaxHeap {
  private readonly scores: number[] = [];
  private readonly items: number[] = [];

  get size(): number {
    return this.items.length;
  }

  /** Add an item: it swims up past every parent that is strictly smaller. */
  push(score: number, item: number): void {
    this.scores.push(score);
    this.items.push(item);
    let node = this.items.length - 1;
    while (node > 0 && this.scores[node >> 1] < this.scores[node]) {
      this.swap(node, node >> 1);
      node >>= 1;
    }
  }

  /** Take out the best item: the last one replaces it and sinks. The heap must not be empty. */
  pop(): number {
    const end = this.items.length - 1;
    this.swap(0, end);
    this.scores.pop();
    const best = this.items.pop() as number;
    const last = end - 1;
    let node = 0;
    while (2 * node <= last) {
      let child = 2 * node;
      if (child < last && this.scores[child] < this.scores[child + 1]) child++;
      if (!(this.scores[node] < this.scores[child])) break;
      this.swap(node, child);
      node = child;
    }
    return best;
  }

  private swap(a: number, b: number): void {
    [this.scores[a], this.scores[b]] = [this.scores[b], this.scores[a]];
    [this.items[a], this.items[b]] = [this.items[b], this.items[a]];
  }
}
