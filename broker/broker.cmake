# fernwerk-broker: what is promised, what runs, and who may have which of it.
fernwerk_program(fernwerk-broker main.c
                 LIBS fernwerk_arrival fernwerk_control fernwerk_desktop fernwerk_virt fernwerk_login fernwerk_store
                      fernwerk_base)
