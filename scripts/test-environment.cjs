// Loaded before the suite: tests keep compiled designs in the project, not in the user's cache folder.
process.env.TANDEM_CACHE ??= require("node:path").resolve(__dirname, "../.cache/designs");
