/* The commands of ashlar-node. argv holds the words after the command's name; what is returned is the exit code. */
#pragma once

int node_dev_main(int argc, char **argv);
int node_genesis_main(int argc, char **argv);
