DROP TABLE reference_data;
DROP FUNCTION commune_of;
DROP TABLE communes, intercommunalities, departments, regions;
