// What the compiler does not see: floating promises above all, since nothing here may reject unhandled.
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

const typeAware = {
  "@typescript-eslint/await-thenable": "error",
  "@typescript-eslint/no-floating-promises": "error",
  "@typescript-eslint/no-misused-promises": "error",
  "@typescript-eslint/only-throw-error": "error",
  "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
};

export default defineConfig(
  { ignores: ["dist/", "coverage/", "**/.wrangler/", "**/node_modules/"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  ...tseslint.configs.strict,
  {
    rules: {
      eqeqeq: "error",
      "prefer-const": "error",
      "no-var": "error",
      "no-restricted-syntax": [
        "error",
        { selector: "ForInStatement", message: "Use Object.keys: for-in walks prototypes." },
      ],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_+$" }],
      // A comment beside each says why it cannot be undefined; a check that cannot fail would be dead code.
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/consistent-type-imports": ["error", { disallowTypeAnnotations: false }],
    },
  },
  {
    files: ["src/**/*.ts", "runtimes/**/*.ts", "test/**/*.ts", "examples/**/*.ts"],
    languageOptions: {
      parserOptions: {
        project: ["./tsconfig.workers.json", "./test/tsconfig.json"],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: typeAware,
  },
  // Values for the codec: instances of classes that are nothing but classes.
  { files: ["test/**/*.ts", "src/testing/**/*.ts"], rules: { "@typescript-eslint/no-extraneous-class": "off" } },
);
