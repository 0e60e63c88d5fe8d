// The rules of the house, all of them: CONTRIBUTING.md says them in words.
import {
  filesStayShort,
  firstLineSaysTheIdea,
  longFiles,
  namedExports,
  noAny,
  todosNameAnIssue,
} from "./form-rules.ts";
import { arrowsPointInward, importsNameTheFile, noCycles, sourceImportsOnlyItself } from "./import-rules.ts";
import { askThePlatform, noRuntimeGlobals, onlyRuntimesNameRuntimes } from "./purity-rules.ts";
import { lockfileIsInSync, noMachinePaths, noRegistries } from "./repository-rules.ts";

export const rules = {
  sourceImportsOnlyItself,
  noRuntimeGlobals,
  arrowsPointInward,
  noCycles,
  askThePlatform,
  filesStayShort: filesStayShort(longFiles),
  firstLineSaysTheIdea,
  importsNameTheFile,
  namedExports,
  noAny,
  todosNameAnIssue,
  onlyRuntimesNameRuntimes,
  noMachinePaths,
  noRegistries,
  lockfileIsInSync,
};
