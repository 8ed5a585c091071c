# find_package(macloom [COMPONENTS capi golden]); without components: both.
#
#   capi    macloom::macloom, the C interface: a shared library that needs nothing else
#   golden  macloom::golden, the golden model in C++, with macloom::ir, macloom::base and
#           macloom::importers_tflite; needs the development files of fmt, nlohmann-json, OpenSSL,
#           zlib and libarchive
include("${CMAKE_CURRENT_LIST_DIR}/macloomTargets.cmake")
foreach(component IN LISTS macloom_FIND_COMPONENTS)
  if(NOT component MATCHES "^(capi|golden)$")
    set(macloom_FOUND FALSE)
    set(macloom_NOT_FOUND_MESSAGE "component ${component} is unknown; accepted are capi, golden")
    return()
  endif()
endforeach()
if(NOT macloom_FIND_COMPONENTS OR "golden" IN_LIST macloom_FIND_COMPONENTS)
  include(CMakeFindDependencyMacro)
  find_dependency(fmt)
  find_dependency(nlohmann_json)
  find_dependency(OpenSSL COMPONENTS Crypto)
  find_dependency(ZLIB)
  find_dependency(LibArchive)
  include("${CMAKE_CURRENT_LIST_DIR}/macloomCxxTargets.cmake")
endif()
