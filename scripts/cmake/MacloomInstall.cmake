# What `cmake --install` puts under the prefix, and the package files for find_package(macloom):
#
#   bin/macloom             the tool; presets, RTL and harness are inside it
#   include/macloom.h       the C interface; lib/libmacloom.so: target macloom::macloom
#   share/macloom/dpi/      SystemVerilog imports of the C interface
#   share/macloom/rtl/      the SystemVerilog library, as `macloom generate` writes it
#
# Nothing installed names a place on the machine that built it: the tree may be moved.
include(CMakePackageConfigHelpers)

foreach(target macloom macloom_c)
  target_compile_options(${target} PRIVATE "-fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=")
endforeach()
install(TARGETS macloom)
install(TARGETS macloom_c EXPORT macloomTargets)
install(FILES "${CMAKE_SOURCE_DIR}/capi/macloom.h" TYPE INCLUDE)
install(FILES "${CMAKE_SOURCE_DIR}/capi/macloom_dpi_pkg.sv"
  DESTINATION "${CMAKE_INSTALL_DATADIR}/macloom/dpi")
install(DIRECTORY "${CMAKE_SOURCE_DIR}/rtl/lib/" "${CMAKE_SOURCE_DIR}/rtl/lint/"
  DESTINATION "${CMAKE_INSTALL_DATADIR}/macloom/rtl" FILES_MATCHING PATTERN "*.sv" PATTERN "*.vlt")

set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/macloom")
install(EXPORT macloomTargets NAMESPACE macloom:: DESTINATION "${package_folder}")
write_basic_package_version_file("${CMAKE_BINARY_DIR}/macloomConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_SOURCE_DIR}/scripts/cmake/macloomConfig.cmake"
  "${CMAKE_BINARY_DIR}/macloomConfigVersion.cmake" DESTINATION "${package_folder}")
