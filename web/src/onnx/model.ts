/**
 * A BodyPix ONNX file: what it says about itself, and the part of it that computes some heads.
 *
 * onnxruntime runs every node of a graph, also those whose result nobody fetches, so every set of
 * heads gets a graph of its own. Field numbers are those of onnx.proto.
 */

import { ModelError } from '../errors.ts';
import type { ModelInfo } from '../types.ts';
import { fieldsOf, joined, messageField, textOf, textsOf, type Field } from './protobuf.ts';

const MODEL = { graph: 7, metadata: 14 } as const;
const METADATA = { key: 1, value: 2 } as const;
const GRAPH = { node: 1, initializer: 5, input: 11, output: 12 } as const;
const NODE = { input: 1, output: 2 } as const;
const TENSOR = { name: 8 } as const;
const VALUE = { name: 1 } as const;

const METADATA_KEY = 'bodypix';
const METADATA_FORMAT = 1;

interface Node {
  field: Field;
  inputs: string[];
  outputs: string[];
}

interface Named {
  field: Field;
  name: string;
}

export class OnnxModel {
  readonly info: ModelInfo;
  private readonly fields: Field[];
  private readonly graph: Field[];
  private readonly nodes: Node[];
  private readonly initializers: Named[];
  private readonly inputs: Named[];
  private readonly outputs: Named[];

  /** @throws ModelError if the bytes are no BodyPix ONNX file. */
  constructor(bytes: Uint8Array) {
    this.fields = fieldsOf(bytes);
    const graph = this.fields.find((field) => field.number === MODEL.graph);
    if (graph === undefined) throw notBodyPix('no graph');
    this.graph = fieldsOf(graph.content);
    this.nodes = this.of(GRAPH.node).map((field) => ({
      field,
      inputs: textsOf(field.content, NODE.input),
      outputs: textsOf(field.content, NODE.output),
    }));
    this.initializers = this.named(GRAPH.initializer, TENSOR.name);
    this.inputs = this.named(GRAPH.input, VALUE.name);
    this.outputs = this.named(GRAPH.output, VALUE.name);
    this.info = this.readInfo();
  }

  /** Names of all heads in the file. */
  get heads(): string[] {
    return this.outputs.map((output) => output.name);
  }

  /**
   * The file with nothing but what these heads need, and with them as outputs, in this order.
   *
   * @throws ModelError if a head is not in the file.
   */
  prune(heads: readonly string[]): Uint8Array {
    const outputs = heads.map((name) => {
      const output = this.outputs.find((one) => one.name === name);
      if (output === undefined) {
        throw new ModelError(
          `model ${this.info.name}: expected a head ${name}, got ${this.heads.join(', ')}; ` +
            'choose another model.',
        );
      }
      return output.field.raw;
    });
    const needed = new Set(heads);
    const kept: Uint8Array[] = [];
    // Nodes of an ONNX graph are sorted: each comes after those that it reads from.
    for (let index = this.nodes.length - 1; index >= 0; index--) {
      const node = this.nodes[index];
      if (!node.outputs.some((name) => needed.has(name))) continue;
      for (const name of node.inputs) needed.add(name);
      kept.push(node.field.raw);
    }
    const used = (named: Named): boolean => needed.has(named.name);
    const replaced: readonly number[] = Object.values(GRAPH);
    const graph = [
      ...kept.reverse(),
      ...this.graph.filter((field) => !replaced.includes(field.number)).map((field) => field.raw),
      ...this.initializers.filter(used).map((one) => one.field.raw),
      ...this.inputs.filter(used).map((one) => one.field.raw),
      ...outputs,
    ];
    const rest = this.fields.filter((field) => field.number !== MODEL.graph);
    return joined([...rest.map((field) => field.raw), messageField(MODEL.graph, graph)]);
  }

  private of(number: number): Field[] {
    return this.graph.filter((field) => field.number === number);
  }

  private named(number: number, nameNumber: number): Named[] {
    return this.of(number).map((field) => ({ field, name: textOf(field.content, nameNumber) }));
  }

  private readInfo(): ModelInfo {
    const entry = this.fields.find(
      (field) =>
        field.number === MODEL.metadata && textOf(field.content, METADATA.key) === METADATA_KEY,
    );
    if (entry === undefined) throw notBodyPix('an ONNX file without `bodypix` metadata');
    const facts = JSON.parse(textOf(entry.content, METADATA.value)) as Record<string, unknown>;
    if (facts.format !== METADATA_FORMAT) {
      throw new ModelError(
        `model file: expected metadata of format ${METADATA_FORMAT}, got ${String(facts.format)}; ` +
          'the file is from a newer bodypix: update this package.',
      );
    }
    return {
      name: String(facts.name),
      version: String(facts.version),
      architecture: facts.architecture as ModelInfo['architecture'],
      multiplier: Number(facts.multiplier),
      outputStride: Number(facts.output_stride) as ModelInfo['outputStride'],
      quantBytes: Number(facts.quant_bytes),
      preprocessing: facts.preprocessing as ModelInfo['preprocessing'],
      personHead: String(facts.person_head),
      partsHead: String(facts.parts_head),
      licence: String(facts.licence),
    };
  }
}

function notBodyPix(got: string): ModelError {
  return new ModelError(
    `model file: expected a BodyPix ONNX file, got ${got}; ` +
      'make one from a tfjs model with `bodypix models convert`.',
  );
}
