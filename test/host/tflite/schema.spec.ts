import { expect } from "chai";
import { BuiltinOperator, BuiltinOptions, OPERATOR_OPTIONS, type Field } from "../../../host/tflite/schema.js";
import { BUILTIN_OPERATOR_NAMES, builtinOperatorName } from "../../../host/tflite/operator-names.js";

describe("TFLite schema", () => {
  it("names operators in the order of their codes", () => {
    for (const [name, code] of Object.entries(BuiltinOperator)) expect(BUILTIN_OPERATOR_NAMES[code]).to.equal(name);
    expect(BUILTIN_OPERATOR_NAMES[127]).to.equal("PLACEHOLDER_FOR_GREATER_OP_CODES");
    expect(BUILTIN_OPERATOR_NAMES[161]).to.equal("RIGHT_SHIFT");
    expect(BUILTIN_OPERATOR_NAMES).to.have.length(162);
    expect(builtinOperatorName(4711)).to.equal("code 4711");
  });

  it("numbers the slots of every options table without a gap", () => {
    for (const [name, { fields }] of Object.entries(BuiltinOptions)) {
      const slots = Object.values<Field>(fields).map(({ slot }) => slot);
      expect(slots, name).to.deep.equal([...slots.keys()]);
    }
  });

  it("has an options table for every operator", () => {
    expect(Object.keys(OPERATOR_OPTIONS)).to.have.members(Object.keys(BuiltinOperator));
  });
});
