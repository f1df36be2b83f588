/**
 * Faults that lie between the files of a set: names used twice, names that nobody defines.
 *
 * Layer: core. Not here: the form of one file (the `*-file.ts` schemas).
 */
import type { ApplicationsFile } from './applications-file.js';
import type { DetectorsFile } from './detectors-file.js';
import type { FoldersFile } from './folders-file.js';
import type { LabelsFile } from './labels-file.js';
import { errorAt, warningAt, type PolicyProblem } from './problem.js';
import type { SetFile } from './set-file.js';
import type { TestsFile } from './tests-file.js';
import type { UsersFile } from './users-file.js';
import type { YamlPlaces } from './yaml-file.js';

/** A parsed file and the way back to its lines. */
export interface Located<T> {
  readonly value: T;
  readonly places: YamlPlaces;
}

export interface SetFiles {
  readonly about: Located<SetFile>;
  readonly labels: Located<LabelsFile>;
  readonly applications: Located<ApplicationsFile>;
  readonly folders: Located<FoldersFile>;
  readonly detectors: Located<DetectorsFile>;
  readonly users: Located<UsersFile>;
  readonly tests: Located<TestsFile>;
}

function repeated(
  names: readonly string[],
  placeOf: (index: number) => readonly PropertyKey[],
  what: string,
  places: YamlPlaces,
): readonly PolicyProblem[] {
  return names.flatMap((name, i) =>
    names.indexOf(name) === i
      ? []
      : [errorAt(places(placeOf(i)), `${what} "${name}" is there twice`, 'each once')],
  );
}

function checkNames(files: SetFiles): readonly PolicyProblem[] {
  const { labels, applications, tests, detectors } = files;
  return [
    ...repeated(
      labels.value.labels.map(({ name }) => name),
      (i) => ['labels', i, 'name'],
      'label',
      labels.places,
    ),
    ...repeated(
      applications.value.applications.map(({ id }) => id),
      (i) => ['applications', i, 'id'],
      'application',
      applications.places,
    ),
    ...repeated(
      tests.value.tests.map(({ name }) => name),
      (i) => ['tests', i, 'name'],
      'test',
      tests.places,
    ),
    ...repeated(
      detectors.value.patterns.map(({ id }) => id),
      (i) => ['patterns', i, 'id'],
      'pattern',
      detectors.places,
    ),
  ];
}

interface LabelUse {
  readonly label: string;
  readonly path: readonly PropertyKey[];
  readonly places: YamlPlaces;
}

function labelUses({ folders, detectors, users }: SetFiles): readonly LabelUse[] {
  const person = users.value.default;
  return [
    { label: folders.value.default.label, path: ['default', 'label'], places: folders.places },
    ...folders.value.rules.map(({ label }, i) => ({
      label,
      path: ['rules', i, 'label'],
      places: folders.places,
    })),
    ...detectors.value.raise.map(({ label }, i) => ({
      label,
      path: ['raise', i, 'label'],
      places: detectors.places,
    })),
    ...(person === null
      ? []
      : [{ label: person.clearance, path: ['default', 'clearance'], places: users.places }]),
    ...Object.entries(users.value.users).map(([id, { clearance }]) => ({
      label: clearance,
      path: ['users', id, 'clearance'],
      places: users.places,
    })),
  ];
}

function checkLabels(files: SetFiles): readonly PolicyProblem[] {
  const known = files.labels.value.labels.map(({ name }) => name);
  return labelUses(files)
    .filter(({ label }) => !known.includes(label))
    .map(({ label, path, places }) =>
      errorAt(places(path), `unknown label "${label}"`, `known: ${known.join(', ')}`),
    );
}

function checkDetectors({ detectors }: SetFiles): readonly PolicyProblem[] {
  const { use, patterns, raise, severity } = detectors.value;
  const known: readonly string[] = [...use, ...patterns.map(({ id }) => id)];
  const unknown = raise.flatMap(({ anyOf }, i) =>
    anyOf.flatMap((id, j) =>
      known.includes(id)
        ? []
        : [
            errorAt(
              detectors.places(['raise', i, 'anyOf', j]),
              `detector "${id}" is not in use`,
              `in use: ${known.join(', ')}`,
            ),
          ],
    ),
  );
  if (severity.high > severity.medium) return unknown;
  return [
    ...unknown,
    errorAt(detectors.places(['severity']), 'high must be more people than medium'),
  ];
}

function checkApplications({ about, applications }: SetFiles): readonly PolicyProblem[] {
  return applications.value.applications.flatMap((application, i) => {
    const problems: PolicyProblem[] = [];
    const { places } = applications;
    if (!about.value.lab && application.executables === '*') {
      problems.push(
        errorAt(
          places(['applications', i, 'executables']),
          `application "${application.id}" gives every program the plain view`,
          'only a set with lab: true may; list the executables',
        ),
      );
    }
    if (!about.value.lab && application.start === '*') {
      problems.push(
        errorAt(
          places(['applications', i, 'start']),
          `application "${application.id}" starts any program`,
          'only a set with lab: true may; list the paths',
        ),
      );
    }
    if (application.openCommand?.includes('%f') === false) {
      problems.push(
        errorAt(
          places(['applications', i, 'openCommand']),
          'the open command does not name the file',
          'an argument "%f"',
        ),
      );
    }
    if (application.childrenPlain && !about.value.lab) {
      problems.push(
        warningAt(
          places(['applications', i, 'childrenPlain']),
          `every child program of "${application.id}" gets the plain view`,
        ),
      );
    }
    return problems;
  });
}

/** All faults between the files. */
export function crossCheck(files: SetFiles): readonly PolicyProblem[] {
  return [
    ...checkNames(files),
    ...checkLabels(files),
    ...checkDetectors(files),
    ...checkApplications(files),
  ];
}
