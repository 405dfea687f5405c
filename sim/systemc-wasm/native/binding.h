// What a design has to give to the binding (binding.cpp); `tandem systemc build` writes it for a user's module.
#ifndef TANDEM_BINDING_H
#define TANDEM_BINDING_H
#include <systemc>

/// Makes the module of the user.
sc_core::sc_module* tandem_create_top(const char* name);
/// Constants of the module: 0 COLUMNS, 1 DEPTH, 2 MACS_PER_CLOCK; 0 where it has none.
double tandem_constant(int which);
#endif
