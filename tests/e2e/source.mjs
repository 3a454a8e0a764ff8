// Where the project's sources are: the tests run from a folder of the build.
export const source = process.env.SIDEVOICE_SOURCE_DIR;
if (!source) throw new Error('Set SIDEVOICE_SOURCE_DIR to the project, or run run.sh.');
