# find_package(macloom): macloom::macloom, the C interface, a shared library that needs nothing else.
include("${CMAKE_CURRENT_LIST_DIR}/macloomTargets.cmake")
