/* The commands of ashlar-node: each main reads the words after its name and returns the exit code. */
#pragma once

int node_dev_main(int argc, char **argv);
int node_init_main(int argc, char **argv);
int node_run_main(int argc, char **argv);
int node_import_main(int argc, char **argv);
int node_export_main(int argc, char **argv);
int node_db_main(int argc, char **argv);
int node_genesis_main(int argc, char **argv);
int node_config_main(int argc, char **argv);

/* Runs the command of that name. */
int node_command_main(const char *name, int argc, char **argv);
