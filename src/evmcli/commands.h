/* The commands of ashlar-evm, each in the file of its name. argv: the words after the command's. */
#pragma once

int statetest_main(int argc, char **argv);
int blocktest_main(int argc, char **argv);
int txtest_main(int argc, char **argv);
int rlptest_main(int argc, char **argv);
int trietest_main(int argc, char **argv);
int difficultytest_main(int argc, char **argv);
int precompiletest_main(int argc, char **argv);
int tracetest_main(int argc, char **argv);
int t8n_main(int argc, char **argv);
int bench_main(int argc, char **argv);
int tracetest_main(int argc, char **argv);
int run_main(int argc, char **argv);
int basictest_main(int argc, char **argv);
int kzgtest_main(int argc, char **argv);
int blstest_main(int argc, char **argv);
