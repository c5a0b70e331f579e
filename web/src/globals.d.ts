/** Put in by the build: the version in package.json. */
declare const VERSION: string;
