# cmake -DSOURCE=… -DOUTPUT=… -P git_version.cmake: writes the commit and the dirty flag of SOURCE to OUTPUT, and
# leaves OUTPUT alone when nothing changed. Without git or a .git folder both are "unknown".
set(commit "unknown")
set(dirty "unknown")
if(EXISTS "${SOURCE}/.git")
  execute_process(COMMAND git --no-optional-locks rev-parse --verify HEAD WORKING_DIRECTORY "${SOURCE}"
                  OUTPUT_VARIABLE head OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  if(NOT failed)
    set(commit "${head}")
    execute_process(COMMAND git --no-optional-locks status --porcelain WORKING_DIRECTORY "${SOURCE}"
                    OUTPUT_VARIABLE changes ERROR_QUIET RESULT_VARIABLE failed)
    if(failed)
      set(dirty "unknown")
    elseif(changes STREQUAL "")
      set(dirty "false")
    else()
      set(dirty "true")
    endif()
  endif()
endif()

set(text "#define ATTNLAB_GIT_COMMIT \"${commit}\"\n#define ATTNLAB_GIT_DIRTY \"${dirty}\"\n")
set(old "")
if(EXISTS "${OUTPUT}")
  file(READ "${OUTPUT}" old)
endif()
if(NOT old STREQUAL text)
  file(WRITE "${OUTPUT}" "${text}")
endif()
