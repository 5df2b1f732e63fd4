/*
 * The entry of class-validator loads 321 modules, most of them about phone numbers and postal codes.
 * These three files load 17. They are the same files that the entry loads, so both share one storage
 * of rules. test/modules.e2e-spec.ts counts what the environment loads.
 */
declare module 'class-validator/cjs/decorator/common/IsOptional.js' {
  export { IsOptional } from 'class-validator';
}
declare module 'class-validator/cjs/decorator/common/ValidateBy.js' {
  export { ValidateBy } from 'class-validator';
}
declare module 'class-validator/cjs/validation/Validator.js' {
  export { Validator } from 'class-validator';
}
