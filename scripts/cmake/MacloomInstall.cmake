# What `cmake --install` puts under the prefix, and the package files for find_package(macloom):
#
#   bin/macloom                the tool; generated RTL comes from inside it
#   include/macloom.h          the C interface; lib/libmacloom.so: target macloom::macloom
#   include/macloom/STAGE/...  the C++ headers; lib/libmacloom_STAGE.a: targets macloom::STAGE
#
# Nothing installed names a place on the machine that built it: the tree may be moved.
include(CMakePackageConfigHelpers)

foreach(target macloom macloom_c)
  target_compile_options(${target} PRIVATE "-fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=")
endforeach()

# The stages needed to load a network and run it. The importer's container reader is generated and
# stays in the build tree; only the importer's own objects use it.
set(installed_stages base ir importers_tflite golden)
get_target_property(libraries macloom_importers_tflite INTERFACE_LINK_LIBRARIES)
list(FILTER libraries EXCLUDE REGEX macloom_tflite_schema)
set_target_properties(macloom_importers_tflite PROPERTIES INTERFACE_LINK_LIBRARIES "${libraries}")
foreach(stage IN LISTS installed_stages)
  set_target_properties(macloom_${stage} PROPERTIES EXPORT_NAME ${stage})
  target_compile_features(macloom_${stage} PUBLIC cxx_std_20)
  install(TARGETS macloom_${stage} EXPORT macloomCxxTargets
    INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/macloom")
endforeach()
foreach(folder base ir importers golden)
  install(DIRECTORY "${CMAKE_SOURCE_DIR}/${folder}"
    DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/macloom" FILES_MATCHING PATTERN "*.h")
endforeach()
install(TARGETS macloom)
install(TARGETS macloom_c EXPORT macloomTargets)
install(FILES "${CMAKE_SOURCE_DIR}/capi/macloom.h" TYPE INCLUDE)

set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/macloom")
install(EXPORT macloomTargets NAMESPACE macloom:: DESTINATION "${package_folder}")
install(EXPORT macloomCxxTargets NAMESPACE macloom:: DESTINATION "${package_folder}")
write_basic_package_version_file("${CMAKE_BINARY_DIR}/macloomConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_SOURCE_DIR}/scripts/cmake/macloomConfig.cmake"
  "${CMAKE_BINARY_DIR}/macloomConfigVersion.cmake" DESTINATION "${package_folder}")
